"""The HTTP door: health, OAuth's way back from the browser, and the numbers of the dashboard."""
