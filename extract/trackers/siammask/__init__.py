"""SiamMask (Wang et al., CVPR 2019): its network, and the tracker around it."""
