"""sync: groups the poses of one instant across a session's cameras."""
