"""The facts of the project as frozen dataclasses and enums; imports nothing of ours."""
