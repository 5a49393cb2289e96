"""Driving steps: commits of many tasks or threads leave together; waiting for commits from event loops."""
