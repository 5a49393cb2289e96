"""Handing context over: what fits a budget, why, and how to reach the rest."""

from .packet import Packet, is_packet, packet
from .selection import Part, Selection, select
from .window import Window, window

__all__ = ["Packet", "Part", "Selection", "Window", "is_packet", "packet", "select", "window"]
