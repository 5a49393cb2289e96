"""Lossless views of marked-up text: elements by the forms that they share, each form told once."""
