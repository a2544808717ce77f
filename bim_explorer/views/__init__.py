"""The page: state, feed, plots and panels on Panel and HoloViews. No torch."""
