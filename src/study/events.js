// What a running study tells whoever watches: the command line, a log, later the viewer. Plain data.
export {};
