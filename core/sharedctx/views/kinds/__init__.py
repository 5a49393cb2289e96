"""The kinds of content, a module each; ``registry`` lists them."""
