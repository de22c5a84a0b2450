"""Abusive conduct: flags that agents raise, decisions that only managers take, and what follows from them."""
