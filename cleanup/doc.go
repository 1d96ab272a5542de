/*
Package cleanup is the pool of workers that tidies up after a merge. A merge makes staged rows visible at once; moving
them to their final place (the fold) is work that nobody waits for. It is cut into short steps, and a few workers
shared by all tables of a process run these, so that many tables merging at the same moment do not flood Redis.

# Authority

The pool decides when a step of a table runs, never what it does: it sees a [Job], which has a name and a step. A job
keeps its own place (a cursor), and its steps must be safe to repeat, because the pool cannot know how far a failed step
came. The pool knows no Redis and no table.

	     Submit                     due, and a worker is free
	       |                                  |
	       v                                  v
	+-------------+                    +-------------+   done, or pointless    +----------+
	|   waiting   | -----------------> |   running   | ----------------------> | finished |
	+-------------+                    +-------------+   stopped: ErrStopped   +----------+
	   |       ^                              |                                     ^
	   |       '---- more to do: after pace --'                                     |
	   |       '---- failed: after back-off --'                                     |
	   '----------------------------- Stop, Close: ErrStopped ----------------------'

# Turns

A task is either in the list of waiting ones or with exactly one worker, so one task never runs two steps at once. A free
worker takes the task that has been due for the longest time: tables take turns, step by step. A table in back-off or
pacing waits in the list and occupies no worker. A slow table holds one worker for one step, no more.

Pace: after each step a table pauses for a fraction ([WithPace]) of the duration of that step; pauses under 2 ms are added up
until they are that long. With the default of 0.05 a fold uses at most about 95 % of one connection, and less of Redis.

# Failures

	a step returns an error   the step is tried again after a random time below a bound, which doubles from first to most
	                          ([WithBackoff]). It is tried for ever: a merge that is not folded can be read but not written, so
	                          giving up helps nobody.
	it also returns done      the task ends with that error: the job knows that trying again is pointless
	a step panics             the same as an error; the panic's value is not logged, for it may hold data
	a step hangs              it holds its worker until it returns. Stop and Close cancel its context; a job should bound its
	                          steps in time.
	Stop during a step        the step's context is cancelled and Stop waits until the step has returned. What was done is
	                          done; submitting the job again resumes where its own cursor stands.
	the process dies          the pool keeps nothing on disk. The next owner of the table submits a new job.

# Who writes and who reads

All state is guarded by one mutex, Pool.mu; it is never held while a step runs or a log line is written. Channels carry
signals only:

	Pool.wake     written when a task is put in the list (by Submit or a worker), never blocking; read by idle workers;
	              never closed. It has one place for each worker: when it is full, each worker will look at the list anyway.
	Pool.quit     closed by the first Close; read by idle workers.
	Pool.stopped  closed by the last worker that ends; read by Close.
	Task.done     closed under Pool.mu when the task is finished; read through Task.Done.

The workers are started by NewPool and waited for by Close. There are no other goroutines, and a timer lasts no longer
than one wait of one worker.
*/
package cleanup
