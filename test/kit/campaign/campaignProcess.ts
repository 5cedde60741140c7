import { type ChildProcess, fork } from 'node:child_process';
import { type Answer, answer, type Task } from './messages.js';

/** What a process is started with: a larger nursery, for a run makes much that does not live long. */
const FLAGS = ['--max-semi-space-size=32'];
/** Wall time after which a task is taken for stuck. A run takes a second, making a failure small at most a minute. */
const PATIENCE_MS = 180_000;

/** A process of a campaign. It ends when this one does. */
export class CampaignProcess {
  #child: ChildProcess | undefined;

  /** Has a task done. Throws where the process ends or gets stuck over it; the next task starts another. */
  async run(task: Task): Promise<Answer> {
    if (!this.#child?.connected) this.#child = start();
    const child = this.#child;
    try {
      return await ask(child, task);
    } catch (error) {
      child.kill('SIGKILL');
      this.#child = undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#child?.connected) this.#child.disconnect();
  }
}

function start(): ChildProcess {
  const child = fork(new URL('./worker.js', import.meta.url), { execArgv: FLAGS, serialization: 'advanced' });
  // Told to whoever waits for an answer; where nobody does, there is nobody to tell.
  return child.on('error', () => {});
}

function ask(child: ChildProcess, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => end(() => resolve(answer.parse(message)));
    const onExit = (code: number | null, signal: string | null): void => onError(`it ended with ${code ?? signal}`);
    const onError = (why: unknown): void => end(() => reject(new Error(`the process that ran it failed: ${why}`)));
    const timer = setTimeout(() => onError(`nothing within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    const end = (then: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      then();
    };
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    child.send(task);
  });
}
