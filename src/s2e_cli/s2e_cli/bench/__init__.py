"""What `s2e bench` needs beside the benchmark itself: policies by name and the terminal."""
