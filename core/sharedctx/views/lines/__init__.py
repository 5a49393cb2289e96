"""Lines of logs, test runners and patches: sorts of them, and which tell something."""
