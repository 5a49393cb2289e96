"""Documents as blocks of headings, sentences, code and tables."""
