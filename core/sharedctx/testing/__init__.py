"""Contract suites for those who write a backend; needs pytest and hypothesis."""

from .clock import ManualClock
from .contract import BackendContract
from .machine import BackendMachine, backend_machine
from .model import Model

__all__ = ["BackendContract", "BackendMachine", "ManualClock", "Model", "backend_machine"]
