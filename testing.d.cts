/// <reference lib="esnext.disposable" />
/// <reference types="node" />
import { PermitSource, PermitLike } from './index.cjs';

/** How the suite gets at the class that is tested. What it opens it closes. */
interface PermitSourceSubject {
    /** Makes so many permits, under a name that nobody else uses, and opens them. */
    create(permits: number): PermitSource | Promise<PermitSource>;
    /** Opens once more what `create` made, as another process would. */
    open(name: string, permits: number): PermitSource | Promise<PermitSource>;
    /** Takes away what `create` made, after the test: where something stays behind. */
    remove?: ((name: string) => unknown) | undefined;
    /**
     * Makes a permit lost, as far as its holder can find out; missing where permits cannot be lost. The signal may abort
     * some time later.
     */
    lose?: ((permit: PermitLike, source: PermitSource) => unknown) | undefined;
    /** How many milliseconds anything may take that is not meant to last; 10,000 when missing. */
    patience?: number | undefined;
}

/** One thing that a `PermitSource` does. */
interface PermitSourceCase {
    /** A sentence. */
    readonly title: string;
    /** Resolves when it is so; rejects with an AssertionError when it is not. */
    readonly run: () => Promise<void>;
}
/**
 * Everything that code may rely on that takes its permits from any `PermitSource`, as tests that need no framework.
 *
 * They are independent of each other. For ava, which wants an assertion of its own: `test(title, t => t.notThrowsAsync(run))`.
 *
 * @example
 * ```ts
 * for (const { title, run } of permitSourceCases(subject)) test(title, run)
 * ```
 */
declare function permitSourceCases(subject: PermitSourceSubject): PermitSourceCase[];

/** A `test(title, function)`, as node:test, vitest, jest, mocha (`it`) and uvu have it. */
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
