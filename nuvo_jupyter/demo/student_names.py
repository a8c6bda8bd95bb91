"""The thirty invented students of the demo course."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Student:
    """A student; the user name is plain ASCII in lower case, the full name is as its bearer writes it."""

    username: str
    full_name: str
    email: str


_NAMES = {
    "anna": "Anna Keller",
    "ben": "Ben Okafor",
    "chloe": "Chloé Martin",
    "daniel": "Daniel Novák",
    "elif": "Elif Yıldız",
    "farid": "Farid Rahimi",
    "grace": "Grace Mwangi",
    "hiroshi": "田中 浩",
    "ines": "Inês Carvalho",
    "jakub": "Jakub Wiśniewski",
    "kwame": "Kwame Mensah",
    "lena": "Lena Müller-Brandt",
    "mateo": "Mateo García Ruiz",
    "nadia": "Надія Шевченко",
    "oliver": "Oliver Smith",
    "priya": "Priya Raghavan",
    "quentin": "Quentin Dubois",
    "rosa": "Rosa Giordano",
    "soren": "Søren Østergaard",
    "thuy": "Nguyễn Thị Thủy",
    "umar": "Umar Farooq",
    "vera": "Věra Dvořáková",
    "william": "William O'Brien",
    "xinyi": "陈欣怡",
    "yara": "يارا حداد",
    "zoe": "Zoë van den Berg",
    "amara": "Amara Nwosu",
    "bence": "Kovács Bence",
    "dimitra": "Δήμητρα Παππά",
    "siobhan": "Siobhán Ní Dhomhnaill",
}


def student_names() -> list[Student]:
    """The thirty students, ``anna`` first; every e-mail address is at ``example.org``."""
    return [Student(name, full, f"{name}@example.org") for name, full in _NAMES.items()]
