"""Pose networks behind one small interface: from a frame and the athlete's box to joints."""

from extract.poses.choose import POSE_NETWORKS, PoseKind, find_pose_network, load_pose_network
from extract.poses.network import PoseNetwork

__all__ = ["POSE_NETWORKS", "PoseKind", "PoseNetwork", "find_pose_network", "load_pose_network"]
