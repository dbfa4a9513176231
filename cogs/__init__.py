"""The doors in Discord: one feature each. A cog acknowledges, checks, makes one call, renders and sends."""

NAMES = (
    "cogs.accounts",
    "cogs.activity",
    "cogs.errors",
    "cogs.help",
    "cogs.items",
    "cogs.jobs",
    "cogs.log_feed",
    "cogs.logs",
    "cogs.mapping",
    "cogs.owners",
    "cogs.queue",
    "cogs.quota",
    "cogs.review",
    "cogs.router",
    "cogs.settings",
    "cogs.setup",
    "cogs.stats",
    "cogs.sync",
    "cogs.tasks",
    "cogs.undo",
)
