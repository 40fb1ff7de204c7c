//! Screens of the dashboard.
