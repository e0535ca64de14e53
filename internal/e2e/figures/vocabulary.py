"""What verbs, extensions and types are called, and which of them figures hang on (0.8, section 1)."""

ADL = "http://adlnet.gov/expapi/verbs/"
W3ADL = "https://w3id.org/xapi/adl/verbs/"
VIDEO = "https://w3id.org/xapi/video/"
AS = "http://activitystrea.ms/schema/1.0/"
CMI5 = "https://w3id.org/xapi/cmi5/"
ACTIVITIES = "http://adlnet.gov/expapi/activities/"
STARTED = {ADL + "initialized", ADL + "attempted", VIDEO + "verbs/played", AS + "start", AS + "play"}
ANSWERED = {ADL + "answered", "https://w3id.org/xapi/acrossx/verbs/evaluated"}
ENDED = {ADL + "terminated", ADL + "exited", "http://id.tincanapi.com/verb/left", AS + "close", W3ADL + "abandoned"}
KINDS = {
    VIDEO + "activity-type/video": "video",
    AS + "video": "video",
    "https://w3id.org/xapi/acrossx/activities/video": "video",
    ACTIVITIES + "cmi.interaction": "question",
    ACTIVITIES + "question": "question",
    ACTIVITIES + "course": "course",
    ACTIVITIES + "module": "module",
    ACTIVITIES + "lesson": "module",
    AS + "page": "module",
    "https://w3id.org/xapi/acrossx/activities/page": "module",
    ACTIVITIES + "assessment": "assessment",
    ACTIVITIES + "file": "document",
    ACTIVITIES + "link": "document",
    ACTIVITIES + "simulation": "simulation",
    ACTIVITIES + "meeting": "live",
}
