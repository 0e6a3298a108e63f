/// <reference lib="esnext.disposable" />
/// <reference types="node" />
import { PermitSource, PermitLike } from './index.cjs';

/** The suite's access to the class under test. The suite closes every source that it opens. */
interface PermitSourceSubject {
    /** Makes a source with this number of permits, under a unique name, and opens it. */
    create(permits: number): PermitSource | Promise<PermitSource>;
    /** Opens a source that `create` made a second time, as another process would. */
    open(name: string, permits: number): PermitSource | Promise<PermitSource>;
    /** Removes what `create` made, after the test; only needed where closing leaves something behind. */
    remove?: ((name: string) => unknown) | undefined;
    /**
     * Makes a permit lost, as far as its holder can tell; missing where permits cannot be lost. The signal may abort some time
     * later.
     */
    lose?: ((permit: PermitLike, source: PermitSource) => unknown) | undefined;
    /** The most milliseconds for any step that is not meant to last; 10,000 when missing. */
    patience?: number | undefined;
}

/** A behaviour of a `PermitSource`. */
interface PermitSourceCase {
    /** The behaviour, as a sentence. */
    readonly title: string;
    /** Resolves when the source behaves so; rejects with an AssertionError when it does not. */
    readonly run: () => Promise<void>;
}
/**
 * All behaviour that code may rely on when it takes its permits from any `PermitSource`, as tests that need no framework.
 *
 * The cases are independent of each other. ava needs its own assertion: `test(title, t => t.notThrowsAsync(run))`.
 *
 * @example
 * ```ts
 * for (const { title, run } of permitSourceCases(subject)) test(title, run)
 * ```
 */
declare function permitSourceCases(subject: PermitSourceSubject): PermitSourceCase[];

/** A `test(title, function)` in the form of node:test, vitest, jest, mocha (`it`) and uvu. */
type DeclareTest = (title: string, run: () => Promise<void>) => unknown;
/**
 * Declares a test for every case of {@link permitSourceCases}.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { Limit } from 'os-ipc'
 * import { testPermitSource } from 'os-ipc/testing'
 *
 * let made = 0
 * testPermitSource(test, {
 *   create: permits => Limit.create(`/tested-${process.pid}-${made++}`, { permits }),
 *   open: name => Limit.open(name),
 *   remove: name => Limit.unlink(name),
 * })
 * ```
 */
declare function testPermitSource(test: DeclareTest, subject: PermitSourceSubject): void;

export { permitSourceCases, testPermitSource };
export type { DeclareTest, PermitSourceCase, PermitSourceSubject };
