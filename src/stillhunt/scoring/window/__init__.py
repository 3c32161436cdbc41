"""The window alarm's statistics: is recent traffic still drawn as its own past was?"""
