"""The backend on Amazon DynamoDB, for processes on many machines without a server of one's own."""

from .backend import DynamoDBBackend

__all__ = ["DynamoDBBackend"]
