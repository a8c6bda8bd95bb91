"""Data sets about Port Elsby, an invented town: bike stations, bike rides and the weather."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from nuvo_jupyter.demo.draw import Draw

YEAR_START = date(2024, 1, 1)
DAYS = 366

_STATION_NAMES = (
    "Central Station", "Old Market", "University Library", "Harbour North", "Harbour South", "Town Hall",
    "Science Park", "Botanic Garden", "Mill Bridge", "Lighthouse", "Fish Market", "St Anne's Church",
    "Stadium", "Opera", "City Hospital", "Riverside Park", "Linden Street", "Dyer's Lane", "Observatory",
    "Student Village", "Engineering", "Medical School", "West Gate", "East Gate", "Canal Lock", "Windmill Hill",
    "Tram Depot", "Swimming Hall", "Museum of Art", "Brewery Yard", "Cherry Orchard", "Ferry Terminal",
    "Airport Road", "Market Hall", "Elm Square", "Quarry Lake",
)  # fmt: skip
_DISTRICTS = ("Centre", "Harbour", "Campus", "Hillside")


@dataclass(frozen=True, slots=True)
class Station:
    """A bike station; ``x_m`` and ``y_m`` are metres east and north of the town's south-west corner."""

    code: str
    name: str
    district: str
    x_m: int
    y_m: int
    docks: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day's weather: mean temperature in °C, rain in mm, wind in m/s."""

    day: date
    temperature: float
    rain: float
    wind: float


def stations() -> list[Station]:
    """The 36 bike stations of the town."""
    draw = Draw("stations")
    found = []
    for number, name in enumerate(_STATION_NAMES):
        x_m, y_m = 500 + 1000 * (number % 6) + draw.integer(-380, 380), 450 + 800 * (number // 6)
        y_m += draw.integer(-300, 300)
        district = _DISTRICTS[(x_m > 3000) + 2 * (y_m > 2400)]
        found.append(Station(f"S{number + 1:02d}", name, district, x_m, y_m, 4 * draw.integer(3, 9)))
    return found


def stations_csv() -> str:
    """``stations.csv``; the docks of Opera carry a slip of the pen which the instructor later corrects."""
    rows = ["station,name,district,x_m,y_m,docks"]
    for s in stations():
        docks = s.docks * 100 if s.name == "Opera" else s.docks
        rows.append(f"{s.code},{s.name},{s.district},{s.x_m},{s.y_m},{docks}")
    return "\n".join(rows) + "\n"


def days() -> list[Day]:
    """The weather of each day of 2024."""
    draw = Draw("weather")
    found, drift, wet = [], 0.0, False
    for number in range(DAYS):
        drift = 0.75 * drift + draw.normal(0, 1.9)
        wet = draw.chance(0.62 if wet else 0.24)
        season = 10.2 - 8.4 * math.cos(2 * math.pi * (number - 20) / DAYS)
        rain = round(-math.log(1 - draw.random()) * 5.2, 1) if wet else 0.0
        wind = abs(draw.normal(3.4, 1.8)) + (1.5 if wet else 0)
        found.append(
            Day(
                YEAR_START + timedelta(number),
                round(season + drift - (1.2 if wet else 0), 1),
                rain,
                round(wind, 1),
            )
        )
    return found


def weather_daily_csv() -> str:
    """``weather_daily.csv``, one row for each day."""
    rows = ["date,temperature_c,rain_mm,wind_ms"]
    rows += [f"{d.day},{d.temperature},{d.rain},{d.wind}" for d in days()]
    return "\n".join(rows) + "\n"


def weather_hourly_csv() -> str:
    """``weather_hourly.csv``, one row for each hour and each of three sensors (26,352 rows)."""
    draw = Draw("weather hourly")
    rows = ["time,sensor,temperature_c,humidity_pct,pressure_hpa,light_lux"]
    pressure = 1013.0
    for d in days():
        for hour in range(24):
            pressure += draw.normal(0, 0.35) + 0.02 * (1013 - pressure)
            sun = max(0.0, math.sin(math.pi * (hour - 5.5) / 14))
            for sensor, offset in (("harbour", -0.6), ("campus", 0.4), ("hill", -1.1)):
                warm = (
                    d.temperature + offset + 4.2 * math.sin(math.pi * (hour - 9) / 12) + draw.normal(0, 0.4)
                )
                humid = min(100.0, 78 + 1.2 * d.rain - 1.1 * (warm - d.temperature) + draw.normal(0, 3))
                light = sun * (22000 if d.rain else 61000) * draw.uniform(0.8, 1.1)
                rows.append(
                    f"{d.day}T{hour:02d}:00,{sensor},{warm:.1f},{humid:.1f},{pressure:.1f},{light:.0f}"
                )
    return "\n".join(rows) + "\n"


HOLIDAYS = {
    date(2024, 1, 1): "New Year",
    date(2024, 3, 29): "Good Friday",
    date(2024, 4, 1): "Easter Monday",
    date(2024, 5, 1): "May Day",
    date(2024, 6, 7): "Harbour Festival",
    date(2024, 10, 3): "Founders' Day",
    date(2024, 12, 25): "Christmas Day",
    date(2024, 12, 26): "Boxing Day",
}


def holidays_csv() -> str:
    """``holidays_2024.csv``: the public holidays of the town."""
    return "date,holiday\n" + "".join(f"{day},{name}\n" for day, name in HOLIDAYS.items())


_WORKDAY_HOURS = (2, 1, 1, 1, 1, 3, 9, 24, 34, 22, 15, 16, 20, 19, 17, 18, 26, 38, 33, 22, 14, 10, 7, 4)
_FREE_DAY_HOURS = (6, 5, 3, 2, 1, 1, 2, 4, 8, 14, 21, 27, 30, 31, 32, 31, 29, 26, 22, 17, 13, 11, 9, 7)


def rides_csv() -> Iterator[tuple[str, str]]:
    """The rides of each month, as file name and text: ``2024-01.csv`` to ``2024-12.csv``."""
    draw = Draw("rides")
    random = draw.random
    places = stations()
    pull = [3.0 if s.district == "Centre" else 2.0 if s.district == "Campus" else 1.0 for s in places]
    # Tables of 4,096 entries make a weighted choice one index: 110,000 rides take a fraction of a second.
    popular = [draw.weighted(places, pull) for _ in range(4096)]
    clocks = [[draw.weighted(range(24), h) for _ in range(4096)] for h in (_WORKDAY_HOURS, _FREE_DAY_HOURS)]
    header = "ride_id,started_at,minutes,start_station,end_station,rider,bike,km"
    month, rows, number = 1, [header], 0
    for d in days():
        if d.day.month != month:
            yield f"2024-{month:02d}.csv", "\n".join(rows) + "\n"
            month, rows = d.day.month, [header]
        comfort = 190 + 11.5 * max(-4.0, d.temperature) - 7.5 * min(d.rain, 14) - 6 * d.wind
        free = d.day.weekday() >= 5 or d.day in HOLIDAYS
        clock = clocks[free]
        count = int(max(30.0, comfort * (0.72 if free else 1.0) + draw.normal(0, 14)))
        begins = sorted(clock[int(random() * 4096)] * 3600 + int(random() * 3600) for _ in range(count))
        for second in begins:
            number += 1
            start, end = popular[int(random() * 4096)], popular[int(random() * 4096)]
            km = 0.4 + 1.25 * math.hypot(start.x_m - end.x_m, start.y_m - end.y_m) / 1000 * (
                0.9 + 0.3 * random()
            )
            member = random() < 0.71
            electric = random() < 0.34
            speed = (17.5 if electric else 13.5) * (1.0 if member else 0.72) * (0.8 + 0.4 * random())
            rows.append(
                f"R{number:06d},{d.day}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d},"
                f"{1.5 + 60 * km / speed:.1f},{start.code},{end.code},{'member' if member else 'casual'},"
                f"{'electric' if electric else 'classic'},{km:.2f}"
            )
    yield f"2024-{month:02d}.csv", "\n".join(rows) + "\n"
