"""Where the world leaves the active profile: looked at daily, told once."""
