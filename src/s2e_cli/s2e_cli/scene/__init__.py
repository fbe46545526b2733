"""What `s2e scene` needs beside its parser."""
