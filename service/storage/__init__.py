"""What is stored, and every statement that stores or reads it."""
