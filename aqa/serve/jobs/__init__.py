"""Work that takes longer than a request: a queue on disk, and a worker that runs the commands of `aqa`.

Each job is a command in a process of its own, as a person would type it. So a crash costs one job, and the
page shows what the command says. One job runs at a time.
"""
