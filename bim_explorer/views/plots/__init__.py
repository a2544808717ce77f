"""The plots as pure functions: data in, HoloViews element out, also in notebooks and reports."""
