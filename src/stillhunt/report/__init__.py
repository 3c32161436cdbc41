"""Layer 7. What a hunt found, for people: one HTML page, chart images, the case folder.

Everything that came out of traffic is hostile: it is made visible, cut and escaped before it is
shown, and never becomes a link, an expression or a file name.
"""

from stillhunt.report.case import write_case
from stillhunt.report.images import write_charts
from stillhunt.report.page import write_report

__all__ = ["write_case", "write_charts", "write_report"]
