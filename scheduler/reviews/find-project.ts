import type { Project } from '../../lib/projects.ts';

/** The project that a repository belongs to; GitHub does not mind capitals. */
export function findProject(projects: ReadonlyMap<string, Project>, repository: string): Project | undefined {
  const wanted = repository.toLowerCase();
  return [...projects.values()].find((project) => project.repository?.toLowerCase() === wanted);
}
