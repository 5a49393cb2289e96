"""Lines of logs and of test runners: sorts of them, and which tell something."""
