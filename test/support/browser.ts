import { type Browser, chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { findProgram } from './programs.ts';

/** A page as wide as a phone, in the Chromium of this machine; the browser closes when the test ends. */
export async function openPhonePage(): Promise<{ readonly page: Awaited<ReturnType<Browser['newPage']>> }> {
  const browser = await chromium.launch({
    executablePath: findProgram('chromium'),
    args: ['--disable-gpu', '--disable-dev-shm-usage'],
  });
  onTestFinished(() => browser.close());
  return { page: await browser.newPage({ viewport: { width: 390, height: 844 } }) };
}
