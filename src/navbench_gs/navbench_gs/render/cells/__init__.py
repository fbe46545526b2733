"""What can be seen from where: view cells, which let the CPU leave out what no one there sees."""
