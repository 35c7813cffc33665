"""How a pool fares: how much of it is used a day, when it runs out, what expires, what looks wrong."""
