"""What the drawing page is made of, apart from the pages themselves; knows the API by HTTP only."""
