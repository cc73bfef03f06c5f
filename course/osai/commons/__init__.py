"""Part 1 of the course, the commons: a game of giving and taking, real projects, and licences that change."""
