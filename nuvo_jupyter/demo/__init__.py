"""The demo course "Intro to Data Science": its material, its students and what they did to it."""
