"""The OpenVINO runtime: conversion, its cache, and rewritten operations."""
