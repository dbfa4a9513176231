"""What all doors share: levels, answers, errors in words, embeds, charts and buttons that survive a restart."""
