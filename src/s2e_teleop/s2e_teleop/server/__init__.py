"""The web server: pages in, drive commands out. The only part that reads a clock."""
