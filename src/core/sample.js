// One example of a task. Its gold answer travels with it; a subject only ever sees what the task's query shows.
export {};
