"""How fast: training, the API, the page; and the running of services that the tests share."""
