"""The charts of a campaign, each drawn once, for the page, for images and for notebooks.

Data reaches a chart as plain values only: no expression, link, sort list or title is built from it.
"""
