"""What an attacker or a bad day may put before us: addresses, replies, values, secrets in odd places."""
