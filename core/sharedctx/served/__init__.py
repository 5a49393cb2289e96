"""What was served: who read which version, and how many tokens that saved against whole values."""
