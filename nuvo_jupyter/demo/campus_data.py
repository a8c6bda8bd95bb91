"""Data sets about people and things at Port Elsby's university: survey, flats, leaves, library loans, reviews."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from nuvo_jupyter.demo.draw import Draw

_PROGRAMS = {
    "Economics": ("Economics", "economics", "Econ", "ECONOMICS "),
    "Biology": ("Biology", "biology", " Biology", "Bio"),
    "Sociology": ("Sociology", "sociology", "Socio"),
    "Computer Science": ("Computer Science", "computer science", "CS", "Comp. Sci."),
    "History": ("History", "history ", "Hist."),
}
_COMMUTES = ("bike", "tram", "walk", "car", "Bike", "TRAM", "on foot")


def survey_csv() -> str:
    """``student_survey_raw.csv``, untidy on purpose: mixed units, spellings, gaps, repeated and absurd answers."""
    draw = Draw("survey")
    rows = ["Student ID,Age,Height,Study hours / week,Commute,Coffees per day,Program,Submitted"]
    for number in range(1, 1181):
        age: object = 18 + min(22, int(-math.log(1 - draw.random()) * 3.6))
        if draw.chance(0.012):
            age = draw.choice((0, 199, 2003, "twenty"))
        cm = draw.normal(172, 9.5)
        form = draw.random()
        height = f"{cm:.0f}" if form < 0.62 else f"{cm:.0f} cm" if form < 0.8 else f"{cm / 100:.2f}"
        if form > 0.965:
            height = ""
        elif form > 0.93:
            height = f'"{cm / 100:.2f}"'.replace(".", ",")
        hours = max(0.0, draw.normal(24, 9))
        studied = draw.choice(("n/a", "", "?")) if draw.chance(0.05) else f"{hours:.0f}"
        coffee = "" if draw.chance(0.04) else str(max(0, int(draw.normal(0.6 + hours / 14, 1.1))))
        program = draw.choice(_PROGRAMS[draw.weighted(list(_PROGRAMS), (5, 3, 2, 4, 1.5))])
        sent = datetime(2024, 9, 16, 8, tzinfo=UTC) + timedelta(minutes=draw.integer(0, 20000))
        when = f"{sent:%d.%m.%Y}" if draw.chance(0.3) else f"{sent:%Y-%m-%d}"
        row = f"{10400 + number},{age},{height},{studied},{draw.choice(_COMMUTES)},{coffee},{program},{when}"
        rows += [row, row] if draw.chance(0.02) else [row]
    return "\n".join(rows) + "\n"


def flats_csv() -> str:
    """``flats.csv``: 3,200 advertised flats; rent in euro a month, area in m², distance to the campus in km."""
    draw = Draw("flats")
    rows = ["flat_id,district,area_m2,rooms,floor,built,distance_km,furnished,rent_eur"]
    extra = {"Centre": 155, "Harbour": 90, "Campus": 60, "Hillside": 0}
    for number in range(1, 3201):
        district = draw.weighted(list(extra), (3, 2, 2.5, 2))
        rooms = draw.weighted((1, 2, 3, 4, 5), (3, 4, 3, 1.5, 0.4))
        area = max(14.0, 12 + 19.5 * rooms + draw.normal(0, 7))
        built = draw.integer(1890, 2023)
        distance = abs(draw.normal(0.8 if district == "Campus" else 2.9, 1.1))
        furnished = draw.chance(0.28)
        rent = 165 + 9.1 * area + extra[district] - 31 * distance + 70 * furnished + 0.9 * (built - 1960)
        rent *= math.exp(draw.normal(0, 0.085))
        rows.append(
            f"F{number:04d},{district},{area:.0f},{rooms},{draw.integer(0, 8)},{built},{distance:.1f},"
            f"{'yes' if furnished else 'no'},{max(190.0, rent):.0f}"
        )
    return "\n".join(rows) + "\n"


def leaves_csv() -> str:
    """``leaves.csv``: 480 leaves of three trees, lengths in mm."""
    draw = Draw("leaves")
    kinds = {"alder": (71, 62, 4.1, 21), "birch": (54, 39, 5.2, 17), "hornbeam": (84, 47, 5.9, 11)}
    rows = ["leaf,species,length_mm,width_mm,teeth_per_cm,stalk_mm"]
    for number in range(1, 481):
        species = draw.choice(tuple(kinds))
        length, width, teeth, stalk = kinds[species]
        size = draw.normal(1, 0.17)
        rows.append(
            f"{number},{species},{size * length + draw.normal(0, 6):.1f},{size * width + draw.normal(0, 6):.1f},"
            f"{max(1.5, draw.normal(teeth, 1.1)):.1f},{max(3.0, size * stalk + draw.normal(0, 3.5)):.1f}"
        )
    return "\n".join(rows) + "\n"


def loans_csv() -> str:
    """``library_loans.csv``: 18,000 loans of the university library and whether each came back late."""
    draw = Draw("loans")
    rows = ["loan_id,item,patron,week_of_term,renewals,reminder,distance_km,pages,late"]
    for number in range(1, 18001):
        item = draw.weighted(("textbook", "novel", "dvd", "laptop"), (6, 3, 1, 1.2))
        patron = draw.weighted(("bachelor", "master", "staff"), (6, 3, 1.5))
        week, renewals = draw.integer(1, 15), draw.weighted((0, 1, 2, 3), (6, 3, 1.2, 0.5))
        reminder, distance = draw.chance(0.55), abs(draw.normal(2.4, 1.7))
        risk = 0.09 + 0.24 * (not reminder) + 0.17 * (week >= 12) + 0.1 * (patron == "bachelor")
        risk += 0.07 * renewals + 0.02 * distance - 0.12 * (item == "laptop")
        pages = 0 if item in ("dvd", "laptop") else draw.integer(90, 940)
        rows.append(
            f"L{number:05d},{item},{patron},{week},{renewals},{'yes' if reminder else 'no'},{distance:.1f},{pages},"
            f"{'yes' if draw.chance(risk) else 'no'}"
        )
    return "\n".join(rows) + "\n"


_GOOD = (
    "the soup was warm and cheap", "friendly staff at the counter", "plenty of quiet seats by the window",
    "the coffee is excellent", "vegetarian dishes that taste fresh", "fast wifi and enough power sockets",
    "lovely view of the harbour", "the queue moves quickly", "generous portions", "best cake in town",
    "I would happily come back", "the new lamps are a delight",
)  # fmt: skip
_BAD = (
    "the queue was endless", "my tea arrived cold", "the tables were sticky", "far too loud to read",
    "the card reader was broken again", "overpriced and small portions", "the heating does not work",
    "rude answer at the counter", "stale bread and a sad salad", "no free seat after ten",
    "the wifi drops every minute", "I would not come back",
)  # fmt: skip
_MIDDLE = (
    "it is close to the lecture hall", "open until eight", "I came on a Tuesday", "we were a group of six",
    "I usually sit upstairs", "the menu changes every week", "it gets busy before exams", "they renovated in spring",
)  # fmt: skip
_JOINS = ("and", "but", "also", "still,", "and honestly")


def reviews_csv() -> str:
    """``reviews.csv``: 6,500 short reviews of cafés, canteens and reading rooms, with one to five stars."""
    draw = Draw("reviews")
    places = ("Canteen North", "Café Anker", "Reading Room", "Library Café", "Harbour Grill", "Campus Bakery")
    rows = ["review_id,place,stars,text"]
    for number in range(1, 6501):
        place = draw.choice(places)
        stars = draw.weighted(
            (1, 2, 3, 4, 5), (1, 1.4, 2.4, 3.4, 2.6) if "Caf" in place else (2, 2, 2.4, 2.2, 1.2)
        )
        parts = []
        for _ in range(draw.integer(2, 5)):
            kind = draw.weighted((_GOOD, _MIDDLE, _BAD), (stars - 0.8, 1.6, 5.2 - stars))
            parts.append(draw.choice(kind))
        text = parts[0]
        for part in parts[1:]:
            text += f" {draw.choice(_JOINS)} {part}"
        rows.append(f'{number},{place},{stars},"{text[0].upper()}{text[1:]}."')
    return "\n".join(rows) + "\n"
