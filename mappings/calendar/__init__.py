"""Working time: when a calendar is open, and when so much open time has passed."""

from mappings.calendar.calendar import Calendar
from mappings.calendar.faults import CalendarError, Fault

__all__ = ["Calendar", "CalendarError", "Fault"]
