"""BlazePose's person detector: anchors, decoding, suppression, and the rotated region of a person.

Paper: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020. Original code:
MediaPipe (Apache-2.0). Own text; the constants are those of MediaPipe's graph `pose_detection_cpu`.
"""
