"""What the pages show, as plain values: everything a template may know, and nothing else.

Decides the shape of a screen's facts. What a session may see is decided behind
`services.Practice`, which leaves out (None, empty) what its keys do not open. Classes that hold a
patient's values print a mask instead of them (`Private`).
"""

from __future__ import annotations

from serment.entrypoints.web.views.breach import (
    BreachView,
    CategoryLine,
    EvidenceLine,
    RadiusQuery,
    RadiusView,
    Three,
)
from serment.entrypoints.web.views.exposure import (
    AcceptOrder,
    AuditOrder,
    Card,
    Exposed,
    ExposureView,
    Running,
    Trouble,
    WeeklyOrder,
)
from serment.entrypoints.web.views.filing import Agreement, Arrival, Candidate, Filed, ToFile
from serment.entrypoints.web.views.home import (
    Fact,
    FactName,
    HomeView,
    KitView,
    State,
    Todo,
    TodoName,
)
from serment.entrypoints.web.views.journal import (
    JournalLine,
    JournalQuery,
    JournalView,
    VerdictView,
)
from serment.entrypoints.web.views.members import (
    CircleLine,
    DeviceLine,
    MemberLine,
    MembersView,
    NewDevice,
    NewMember,
    SecondFactor,
    SettingsView,
)
from serment.entrypoints.web.views.private import Private
from serment.entrypoints.web.views.records import (
    Document,
    Identifier,
    Image,
    Item,
    PatientLine,
    PatientList,
    PatientView,
    Picture,
    Reader,
    Report,
    ReportLine,
    Series,
    StudyLine,
    StudyQuery,
    StudyView,
    Who,
    Worklist,
)
from serment.entrypoints.web.views.sessions import Page, Peer, Pulse, SessionView, Welcome

__all__ = [
    "AcceptOrder",
    "Agreement",
    "Arrival",
    "AuditOrder",
    "BreachView",
    "Candidate",
    "Card",
    "CategoryLine",
    "CircleLine",
    "DeviceLine",
    "Document",
    "EvidenceLine",
    "Exposed",
    "ExposureView",
    "Fact",
    "FactName",
    "Filed",
    "HomeView",
    "Identifier",
    "Image",
    "Item",
    "JournalLine",
    "JournalQuery",
    "JournalView",
    "KitView",
    "MemberLine",
    "MembersView",
    "NewDevice",
    "NewMember",
    "Page",
    "PatientLine",
    "PatientList",
    "PatientView",
    "Peer",
    "Picture",
    "Private",
    "Pulse",
    "RadiusQuery",
    "RadiusView",
    "Reader",
    "Report",
    "ReportLine",
    "Running",
    "SecondFactor",
    "Series",
    "SessionView",
    "SettingsView",
    "State",
    "StudyLine",
    "StudyQuery",
    "StudyView",
    "Three",
    "ToFile",
    "Todo",
    "TodoName",
    "Trouble",
    "VerdictView",
    "WeeklyOrder",
    "Welcome",
    "Who",
    "Worklist",
]
