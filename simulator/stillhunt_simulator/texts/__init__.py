"""Prompts: words, sentences, templates, and the rendering of a batch of them."""
