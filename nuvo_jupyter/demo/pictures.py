"""PNG pictures for the course, drawn with the standard library: a map of the town and photos of the night sky."""

from __future__ import annotations

import math
import struct
import zlib
from functools import cache

from nuvo_jupyter.demo.city_data import stations
from nuvo_jupyter.demo.draw import Draw

SKY_SIDE = 512
"""Width and height of a sky photo in pixels."""


def png(width: int, height: int, pixels: bytes | bytearray, channels: int) -> bytes:
    """A PNG file of 8-bit samples (PNG specification, third edition, §11).

    Args:
        width, height: in pixels.
        pixels: ``width * height * channels`` samples, row by row from the top.
        channels: 1 for grey, 3 for RGB.
    """

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    stride = width * channels
    rows = b"".join(b"\0" + bytes(pixels[y * stride : (y + 1) * stride]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


@cache
def _camera_noise() -> bytes:
    # Longer than the 32 KiB in which zlib finds repetitions: photos then compress as badly as real ones.
    draw = Draw("camera noise")
    return bytes(draw.integer(0, 31) for _ in range(65536))


@cache
def _brighter(glow: int) -> bytes:
    return bytes(min(255, value + glow) for value in range(256))


def sky_photo(number: int) -> bytes:
    """A grey photo of the night sky: camera noise, a faint glow at the bottom, and some dozens of stars."""
    draw = Draw(f"sky {number}")
    noise = _camera_noise()
    pixels = bytearray()
    for y in range(SKY_SIDE):
        start = draw.integer(0, len(noise) - SKY_SIDE)
        pixels += noise[start : start + SKY_SIDE].translate(_brighter(6 + y * y // 9000))
    for _ in range(draw.integer(25, 70)):
        x, y = draw.integer(6, SKY_SIDE - 7), draw.integer(6, SKY_SIDE - 7)
        bright, spread = draw.uniform(90, 240), draw.uniform(0.9, 2.1)
        for dy in range(-6, 7):
            for dx in range(-6, 7):
                at = (y + dy) * SKY_SIDE + x + dx
                add = bright * math.exp(-(dx * dx + dy * dy) / (2 * spread * spread))
                pixels[at] = min(255, pixels[at] + int(add))
    return png(SKY_SIDE, SKY_SIDE, pixels, 1)


def town_map() -> bytes:
    """A 640 × 520 map of Port Elsby: fields, river, harbour, streets and the bike stations."""
    width, height = 640, 520
    draw = Draw("map")
    grain = [draw.integer(-5, 5) for _ in range(4096)]
    water, street = (150, 190, 222), (252, 252, 250)
    districts = ((238, 226, 204), (214, 226, 234), (226, 236, 210), (232, 224, 236))
    shades = {
        color: [bytes(min(255, part + shade) for part in color) for shade in grain]
        for color in (water, street, *districts)
    }
    pixels = bytearray()
    for y in range(height):
        river = 392 + 34 * math.sin(y / 71)
        shore = 574 + 12 * math.sin(y / 37)
        for x in range(width):
            if abs(x - river) < 9 or x > shore:
                color = water
            elif x % 64 < 3 or y % 52 < 3:
                color = street
            else:
                color = districts[(x > river) + 2 * (y < height // 2)]
            pixels += shades[color][(x * 31 + y * 517) & 4095]
    for station in stations():
        cx, cy, radius = (
            10 + station.x_m * 560 // 6300,
            height - 20 - station.y_m * 480 // 5000,
            4 + station.docks // 12,
        )
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                if dx * dx + dy * dy <= radius * radius:
                    at = 3 * ((cy + dy) * width + cx + dx)
                    pixels[at : at + 3] = (
                        b"\xc6\x28\x28" if dx * dx + dy * dy < radius * radius - radius else b"\xff\xff\xff"
                    )
    return png(width, height, pixels, 3)
